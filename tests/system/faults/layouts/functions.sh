# Before the script of a layout. It runs on a host that has started from its own disk.
export DEBIAN_FRONTEND=noninteractive

layout_packages() {
    mkdir /root/packages
    tar -C /root/packages -xf /root/packages.tar
    dpkg -i /root/packages/*.deb >/dev/null 2>&1
    # As the role trial asks for it.
    sed -i 's/^LOAD_KEXEC=.*/LOAD_KEXEC=false/' /etc/default/kexec
    # The kernel under test finds the modules of this disk, which its packages do not have.
    printf '#!/bin/sh\ndepmod "$1"\n' >/etc/kernel/postinst.d/depmod
    chmod 755 /etc/kernel/postinst.d/depmod
    rm -rf /root/packages /root/packages.tar
}

# What is mounted at /mnt becomes a copy of this host, which these disks boot.
layout_copy() {
    cp -ax /. /mnt/
    mv /root/fstab /mnt/etc/fstab
    rm -f /mnt/root/fstab
    for place in dev proc sys run; do
        mount --rbind "/$place" "/mnt/$place"
        mount --make-rslave "/mnt/$place"
    done
    chroot /mnt update-initramfs -u >/dev/null
    for disk; do
        chroot /mnt grub-install "$disk" 2>/dev/null
    done
    chroot /mnt update-grub 2>/dev/null
    grub-probe --target=abstraction /mnt/boot/grub
    grub-probe --target=fs /mnt/boot/grub
    sync
}
