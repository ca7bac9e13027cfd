# A machine with UEFI: an EFI system partition, and all else, /boot too, is a logical volume.
printf 'size=128M, type=uefi\ntype=lvm\n' | sfdisk -q --label gpt "$disk"
udevadm settle
have_lvm "$disk-part2"
root=/dev/mapper/vg-root
mkfs.ext4 -q "$root"
have_esp
