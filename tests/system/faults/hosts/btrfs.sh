# All of it, /boot too, is on btrfs.
echo 'start=2048, type=83' | sfdisk -q --label dos "$disk"
udevadm settle
root="$disk-part1"
mkfs.btrfs -q "$root"
