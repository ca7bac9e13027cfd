# Runs on the host, which GRUB has started from its first disk: the second gets an ESP with systemd-boot.
export DEBIAN_FRONTEND=noninteractive
mkdir /root/packages
tar -C /root/packages -xf /root/packages.tar
dpkg -i /root/packages/*.deb >/dev/null
mkfs.vfat -F 32 -n ESP /dev/vdb1 >/dev/null
mkdir -p /boot/efi
echo 'LABEL=ESP /boot/efi vfat umask=0077 0 1' >>/etc/fstab
udevadm trigger /dev/vdb1
udevadm settle
mount /boot/efi
bootctl install --esp-path=/boot/efi --no-variables --make-machine-id-directory=yes >/dev/null
release="$(uname -r)"
kernel-install add "$release" "/boot/vmlinuz-$release" "/boot/initrd.img-$release"
rm -rf /root/packages /root/packages.tar
mkdir /root/keep
cat /boot/efi/loader/entries/*.conf
sync
