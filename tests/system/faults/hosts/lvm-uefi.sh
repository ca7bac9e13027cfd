# A machine with UEFI: an EFI system partition, and all else, /boot too, is a logical volume.
printf 'size=128M, type=uefi\ntype=lvm\n' | sfdisk -q --label gpt "$disk"
udevadm settle
pvcreate -q "$disk-part2"
vgcreate -q vg "$disk-part2"
lvcreate -q --yes --extents 100%FREE --name root vg
root=/dev/mapper/vg-root
mkfs.ext4 -q "$root"
have_esp
