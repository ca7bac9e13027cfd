# /boot is a logical volume; the root file system is in another one, encrypted, with its key in the initrd.
layout_packages
pvcreate -q /dev/vdb1
vgcreate -q vg /dev/vdb1
lvcreate -q --yes -L 900M -n boot vg
lvcreate -q --yes -l 100%FREE -n crypt vg
mkdir -m 700 /etc/keys
dd if=/dev/urandom of=/etc/keys/root.key bs=64 count=1 status=none
chmod 400 /etc/keys/root.key
# Slow to open on purpose; under emulation, too slow.
cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vg/crypt /etc/keys/root.key
cryptsetup open --key-file /etc/keys/root.key /dev/vg/crypt root
mkfs.ext4 -q /dev/mapper/root
mkfs.ext4 -q /dev/vg/boot
mount /dev/mapper/root /mnt
mkdir /mnt/boot
mount /dev/vg/boot /mnt/boot
echo "root UUID=$(blkid -s UUID -o value /dev/vg/crypt) /etc/keys/root.key luks,initramfs" >/etc/crypttab
echo 'KEYFILE_PATTERN=/etc/keys/*.key' >>/etc/cryptsetup-initramfs/conf-hook
echo UMASK=0077 >/etc/initramfs-tools/conf.d/umask
cat >/root/fstab <<END
/dev/mapper/root / ext4 errors=remount-ro 0 1
/dev/mapper/vg-boot /boot ext4 defaults 0 2
END
layout_copy /dev/vdb
