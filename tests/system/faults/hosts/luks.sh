# / is encrypted, /boot is not. The key is in the initrd, which only root may read: it starts unattended.
printf 'start=2048, size=512M, type=83\ntype=83\n' | sfdisk -q --label dos "$disk"
udevadm settle
mkfs.ext4 -q "$disk-part1"
key=/root/luks.key
(umask 077 && head -c 64 /dev/urandom > "$key")
# The key needs no stretching, which would take an emulated machine minutes.
cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$key" "$disk-part2"
cryptsetup open --key-file "$key" "$disk-part2" root_crypt
root=/dev/mapper/root_crypt
mkfs.ext4 -q "$root"
mount_more() {
    mkdir /boot-to-be
    mount "$disk-part1" /boot-to-be
    cp -a /new/boot/. /boot-to-be
    rm -r /new/boot
    mkdir /new/boot
    umount /boot-to-be
    mount "$disk-part1" /new/boot
    echo "UUID=$(blkid -s UUID -o value "$disk-part1") /boot ext4 defaults 0 2" >> /new/etc/fstab
    mkdir -m 700 /new/etc/keys
    mv "/new$key" /new/etc/keys/root.key
    echo "root_crypt UUID=$(blkid -s UUID -o value "$disk-part2") /etc/keys/root.key luks" > /new/etc/crypttab
    echo 'KEYFILE_PATTERN="/etc/keys/*.key"' >> /new/etc/cryptsetup-initramfs/conf-hook
    echo 'UMASK=0077' >> /new/etc/initramfs-tools/initramfs.conf
}
