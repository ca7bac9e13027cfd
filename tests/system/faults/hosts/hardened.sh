# A server as an administrator hardens it (CIS level 1, and what belongs to it). The packages are installed.
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 027
cat > /etc/sysctl.d/60-hardened.conf <<'END'
fs.suid_dumpable = 0
fs.protected_fifos = 2
fs.protected_regular = 2
kernel.dmesg_restrict = 1
kernel.kptr_restrict = 2
kernel.randomize_va_space = 2
kernel.unprivileged_bpf_disabled = 1
kernel.yama.ptrace_scope = 1
net.ipv4.ip_forward = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.all.secure_redirects = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.icmp_ignore_bogus_error_responses = 1
net.ipv4.tcp_syncookies = 1
END
sed -i 's/^UMASK.*/UMASK 027/' /etc/login.defs
echo 'session optional pam_umask.so umask=027' >> /etc/pam.d/common-session
echo 'tmpfs /tmp tmpfs nosuid,nodev,noexec,mode=1777,size=128m 0 0' >> /etc/fstab
echo 'tmpfs /dev/shm tmpfs nosuid,nodev,noexec 0 0' >> /etc/fstab
# Whoever is at the console cannot change an entry; all of them start without a password.
hash="$(printf 'secret\nsecret\n' | grub-mkpasswd-pbkdf2 | sed -n 's/.*\(grub[.]pbkdf2[.].*\)/\1/p')"
[ "$hash" ]
cat > /etc/grub.d/01_password <<END
#!/bin/sh
cat <<'EOF'
set superusers="admin"
password_pbkdf2 admin $hash
EOF
END
chmod 700 /etc/grub.d/01_password
sed -i -e 's/^CLASS="[^"]*/& --unrestricted/' -e "s/submenu '/submenu --unrestricted '/" /etc/grub.d/10_linux
update-grub
grep -q 'password_pbkdf2 admin' /boot/grub/grub.cfg
grep -q "^submenu --unrestricted" /boot/grub/grub.cfg
chmod 600 /boot/grub/grub.cfg
# Its files are under version control from here on.
etckeeper commit -q hardened
aa-status --enabled
