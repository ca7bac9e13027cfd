# All of it, /boot too, is a logical volume.
echo 'start=2048, type=8e' | sfdisk -q --label dos "$disk"
udevadm settle
have_lvm "$disk-part1"
root=/dev/mapper/vg-root
mkfs.ext4 -q "$root"
