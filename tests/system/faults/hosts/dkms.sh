# A host with a module from outside the kernel, which DKMS builds and the boot loads.
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
source=/usr/src/outside-1.0
mkdir -m 755 $source
cat > $source/dkms.conf <<'END'
PACKAGE_NAME="outside"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="outside"
DEST_MODULE_LOCATION[0]="/updates/dkms"
AUTOINSTALL="yes"
END
echo 'obj-m := outside.o' > $source/Makefile
cat > $source/outside.c <<'END'
#include <linux/module.h>
#include <linux/version.h>

#define NEWER	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))

static int __init outside_init(void)
{
	return 0;
}
module_init(outside_init);

static void __exit outside_exit(void)
{
}
module_exit(outside_exit);

MODULE_DESCRIPTION("A module that DKMS builds");
MODULE_LICENSE("GPL");
END
dkms install outside/1.0
echo outside > /etc/modules-load.d/outside.conf
modprobe outside
