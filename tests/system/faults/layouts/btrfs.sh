# All of it, /boot too, is a subvolume.
layout_packages
modprobe btrfs
mkfs.btrfs -q /dev/vdb1
mount /dev/vdb1 /mnt
btrfs -q subvolume create /mnt/@
umount /mnt
mount -o subvol=@ /dev/vdb1 /mnt
echo "UUID=$(blkid -s UUID -o value /dev/vdb1) / btrfs subvol=@ 0 0" >/root/fstab
layout_copy /dev/vdb
