// SPDX-License-Identifier: GPL-2.0-only
/* A module that has the kernel complain, and go on: kind=warn, late, atomic, hung or firmware. */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/firmware.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sched.h>

static char *kind = "warn";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "warn, late, atomic, hung (a task that nothing wakes for a while), firmware");

static noinline void soft_warn(void)
{
	WARN(1, "soft: asked for\n");
}

/* The kernel tells one warning from another by its function. */
static noinline void soft_warn_late(void)
{
	msleep(15 * MSEC_PER_SEC);
	WARN(1, "soft: asked for, later\n");
}

/* What the scheduler finds it corrects: softirqs are enabled again after it. */
static void soft_atomic(void)
{
	local_bh_disable();
	schedule_timeout_uninterruptible(1);
}

static void soft_hung(void)
{
	schedule_timeout_uninterruptible(30 * HZ);
}

static int soft_firmware(void)
{
	struct platform_device *device = platform_device_register_simple("soft", -1, NULL, 0);
	const struct firmware *firmware;
	int err;

	if (IS_ERR(device))
		return PTR_ERR(device);
	err = request_firmware(&firmware, "soft-fault.bin", &device->dev);
	if (!err)
		release_firmware(firmware);
	platform_device_unregister(device);
	return 0;
}

static int __init soft_init(void)
{
	int err = 0;

	if (!strcmp(kind, "warn"))
		soft_warn();
	else if (!strcmp(kind, "late"))
		soft_warn_late();
	else if (!strcmp(kind, "atomic"))
		soft_atomic();
	else if (!strcmp(kind, "hung"))
		soft_hung();
	else if (!strcmp(kind, "firmware"))
		err = soft_firmware();
	else
		err = -EINVAL;
	/* All is done; nothing has to stay loaded. */
	return err ?: -ECANCELED;
}

module_init(soft_init);
MODULE_DESCRIPTION("Complaints of the kernel, on demand");
MODULE_LICENSE("GPL");
