# What Debian's installer makes of a machine with UEFI: an EFI system partition with shim and GRUB, / on ext4.
printf 'size=128M, type=uefi\ntype=linux\n' | sfdisk -q --label gpt "$disk"
udevadm settle
root="$disk-part2"
mkfs.ext4 -q "$root"
mkfs.vfat -F 32 "$disk-part1"
mount_more() {
    mkdir /new/boot/efi
    mount "$disk-part1" /new/boot/efi
    echo "UUID=$(blkid -s UUID -o value "$disk-part1") /boot/efi vfat umask=0077 0 1" >> /new/etc/fstab
}
# This host's firmware is another one: the first boot writes the entry into the new one's variables.
install_boot_loader() {
    chroot /new grub-install --target=x86_64-efi --no-nvram --force-extra-removable
}
