# All of it, /boot too, is a logical volume.
layout_packages
pvcreate -q /dev/vdb1
vgcreate -q vg /dev/vdb1
lvcreate -q --yes -l 100%FREE -n root vg
mkfs.ext4 -q /dev/vg/root
mount /dev/vg/root /mnt
echo '/dev/mapper/vg-root / ext4 errors=remount-ro 0 1' >/root/fstab
layout_copy /dev/vdb
