# All of it, /boot too, is a logical volume.
echo 'start=2048, type=8e' | sfdisk -q --label dos "$disk"
udevadm settle
pvcreate -q "$disk-part1"
vgcreate -q vg "$disk-part1"
lvcreate -q --yes --extents 100%FREE --name root vg
root=/dev/mapper/vg-root
mkfs.ext4 -q "$root"
