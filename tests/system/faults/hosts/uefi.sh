# What Debian's installer makes of a machine with UEFI: an EFI system partition with shim and GRUB, / on ext4.
printf 'size=128M, type=uefi\ntype=linux\n' | sfdisk -q --label gpt "$disk"
udevadm settle
root="$disk-part2"
mkfs.ext4 -q "$root"
have_esp
