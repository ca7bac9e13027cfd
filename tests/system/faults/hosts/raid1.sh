# All of it, /boot too, is on two mirrored partitions.
printf 'start=2048, size=2900M, type=fd\ntype=fd, size=2900M\n' | sfdisk -q --label dos "$disk"
udevadm settle
root=/dev/md0
# Nothing has been written to either: there is nothing to copy from one to the other.
mdadm --create --quiet --run --assume-clean --level=1 --raid-devices=2 --metadata=1.2 "$root" \
    "$disk-part1" "$disk-part2"
mdadm --detail --scan >> /etc/mdadm/mdadm.conf
mkfs.ext4 -q "$root"
