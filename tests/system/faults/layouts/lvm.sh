# All of it, /boot too, is a logical volume. lvm.sh PLACE: fills PLACE/disk.raw, which has a partition.
set -e
place=$1
start=1048576
export LVM_SUPPRESS_FD_WARNINGS=1 LC_ALL=C.UTF-8
loop="$(losetup --find --show --offset "$start" "$place/disk.raw")"
trap 'losetup --detach "$loop"' EXIT
# No disk of this machine is looked at, and its kernel needs no device mapper: only records are written.
lvm() {
    program=$1
    shift
    "$program" --driverloaded n --config "devices { filter = [ \"a|^$loop\$|\", \"r|.*|\" ] }" "$@"
}
lvm pvcreate -q "$loop"
lvm vgcreate -q vg "$loop"
lvm lvcreate -q --activate n --zero n --wipesignatures n --extents 100%FREE --name root vg
data="$(lvm pvs --noheadings --nosuffix --units b --options pe_start "$loop")"
size="$(lvm lvs --noheadings --nosuffix --units k --options lv_size vg/root | tr -d ' ')"
mke2fs -q -t ext4 -d "$place/root" -E "offset=$((start + data))" "$place/disk.raw" "${size%.*}k"
