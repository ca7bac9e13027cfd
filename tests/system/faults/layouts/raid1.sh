# All of it, /boot too, is on two disks.
layout_packages
modprobe raid1
mdadm --quiet --create /dev/md0 --run --level=1 --raid-devices=2 --assume-clean /dev/vdb1 /dev/vdc1
mkfs.ext4 -q /dev/md0
mount /dev/md0 /mnt
echo "UUID=$(blkid -s UUID -o value /dev/md0) / ext4 errors=remount-ro 0 1" >/root/fstab
mdadm --detail --scan >>/etc/mdadm/mdadm.conf
layout_copy /dev/vdb /dev/vdc
