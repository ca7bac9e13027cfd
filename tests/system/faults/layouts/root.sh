# The root file system of the lab's image, in a directory, with what its new disk needs.
# root.sh IMAGE PLACE FINISH PACKAGE...: makes PLACE/root of the raw image. PLACE has fstab.
set -e
image=$1
root=$2/root
place=$2
finish=$3
shift 3
mkdir -p "$place/old" "$root" "$place/packages/partial"
# The partition begins where module_utils/_lab/image.py puts it.
mount -o loop,ro,offset=1048576 "$image" "$place/old"
cp -a "$place/old/." "$root/"
umount "$place/old"
cp "$finish" "$root/usr/local/sbin/oslab-image-finish"
# What it lacks, by its own record of what it has and this machine's list of what there is.
apt-get -q -y --no-install-recommends --download-only -o Debug::NoLocking=1 \
    -o "Dir::State::status=$root/var/lib/dpkg/status" -o "Dir::Cache::archives=$place/packages/" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= install "$@"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --bind /dev "$root/dev"
mkdir "$root/root/packages"
cp "$place"/packages/*.deb "$root/root/packages/"
cp "$place/fstab" "$root/etc/fstab"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
# The initrd is made once, after all.
chroot "$root" sh -c 'dpkg --no-triggers -i /root/packages/*.deb && dpkg --triggers-only --pending'
rm -r "$root/root/packages"
# As the role trial asks for it.
sed -i 's/^LOAD_KEXEC=.*/LOAD_KEXEC=false/' "$root/etc/default/kexec"
# The kernel under test finds the modules of this disk, which its packages do not have.
printf '#!/bin/sh\ndepmod "$1"\n' >"$root/etc/kernel/postinst.d/depmod"
chmod 755 "$root/etc/kernel/postinst.d/depmod"
cp "$root"/boot/vmlinuz-* "$place/vmlinuz"
cp "$root"/boot/initrd.img-* "$place/initrd.img"
umount "$root/dev" "$root/sys" "$root/proc"
