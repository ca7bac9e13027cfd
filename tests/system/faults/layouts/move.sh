# Put the root file system of this host on its second disk, from which it can boot then. Beside it:
# packages.tar, and layout.sh, which makes the file system and says where.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
disk=/dev/disk/by-id/virtio-target
mkdir /root/packages /new
tar -xf /root/packages.tar -C /root/packages
# The initrd is made once, after all.
dpkg --no-triggers -i /root/packages/*.deb
rm -r /root/packages /root/packages.tar
# As the role trial asks for it.
sed -i 's/^LOAD_KEXEC=.*/LOAD_KEXEC=false/' /etc/default/kexec
. /root/layout.sh
mount "$root" /new
cp -ax / /new
rm /new/root/move.sh /new/root/layout.sh
rmdir /new/new
echo "UUID=$(blkid -s UUID -o value "$root") / $(blkid -s TYPE -o value "$root") defaults 0 1" > /new/etc/fstab
for directory in dev proc sys; do mount --bind "/$directory" "/new/$directory"; done
chroot /new dpkg --triggers-only --pending
chroot /new update-initramfs -u -k all
chroot /new grub-install "$(realpath "$disk")"
chroot /new update-grub
umount /new/dev /new/proc /new/sys /new
