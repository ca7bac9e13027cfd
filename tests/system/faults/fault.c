// SPDX-License-Identifier: GPL-2.0-only
/* A module that does to the kernel what a bad kernel does by itself: kind=panic, oops, spin or dead. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/preempt.h>

static char *kind = "panic";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "panic, oops, spin (a CPU that schedules no more), dead (nor takes interrupts)");

/* In a thread of its own, so that whoever loads the module is not what hangs. */
static int misbehave(void *unused)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	msleep(1000);
	if (!strcmp(kind, "panic"))
		panic("fault: asked for");
	if (!strcmp(kind, "oops"))
		*nowhere = 1;
	preempt_disable();
	if (!strcmp(kind, "dead"))
		local_irq_disable();
	for (;;)
		cpu_relax();
}

static int __init fault_init(void)
{
	struct task_struct *task;

	if (strcmp(kind, "panic") && strcmp(kind, "oops") && strcmp(kind, "spin") && strcmp(kind, "dead"))
		return -EINVAL;
	task = kthread_run(misbehave, NULL, "fault");
	return PTR_ERR_OR_ZERO(task);
}

module_init(fault_init);
MODULE_DESCRIPTION("A kernel fault, on demand");
MODULE_LICENSE("GPL");
