#!/bin/busybox sh
# A lab machine: namespaces, a private view of the system, and PID 1. Three stages of one file:
#   outside   enter the machine's cgroups, then make the namespaces                      (arguments: see below)
#   boot      as PID 1 of the new namespaces: report our host PID, mount what is private, wait for the network to be plugged in
#   init      reap whatever is orphaned, keep the machine's one service running as systemd would
# Standard input is the launcher's leash until the machine runs: when the launcher dies before saying "go", the machine never was.
#
# usage: machine-init.sh outside HOSTNAME DIR CGROUP -- SERVICE...
#   DIR     the machine's own folder: etc/ (upper layer of /etc), log/
#   CGROUP  path of the machine's cgroup below each hierarchy's root, for example /ballast-lab-demo/server
set -e
stage=$1 hostname=$2 dir=$3 cgroup=$4
shift 4
[ "$1" = -- ] && shift

case $stage in
outside)
  for procs in /sys/fs/cgroup/*"$cgroup"/cgroup.procs /sys/fs/cgroup"$cgroup"/cgroup.procs; do
    [ -e "$procs" ] && echo 0 >"$procs"
  done
  exec /usr/bin/unshare --net --mount --pid --uts --ipc --cgroup --fork -- "$0" boot "$hostname" "$dir" "$cgroup" -- "$@"
  ;;
esac

# The host's /proc still shows here, so these are PID and hierarchies as the host sees them. `read` is the shell itself, no child.
read -r host_pid rest </proc/self/stat
hostname "$hostname"

mount -t proc proc /proc
# Mounts of the host that would pin other people's namespaces and containers for as long as this machine lives.
while read -r device point type rest; do
  case $point:$type in
  /:*) ;;
  *:nsfs | *:overlay | /run/*) umount -l "$point" 2>/dev/null || true ;;
  esac
done </proc/mounts
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755,size=256m tmpfs /run
mkdir -p /run/lock /run/netns
if ! mount -t overlay -o lowerdir=/etc,upperdir="$dir/etc",workdir="$dir/etc-work" overlay /etc 2>/dev/null; then
  # The folder lies on a filesystem that cannot be an upper layer (another overlay, for example): a full copy serves as well.
  [ -e "$dir/etc-copy/passwd" ] || cp -a /etc/. "$dir/etc-copy/"
  cp -a "$dir/etc/." "$dir/etc-copy/"
  mount --bind "$dir/etc-copy" /etc
fi

# Control groups: the cgroup namespace makes our own group look like the root, a fresh mount shows it that way.
if grep -q '^0::' /proc/self/cgroup && ! grep -qv '^0::' /proc/self/cgroup; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  unified=/sys/fs/cgroup
else
  mount -t tmpfs -o mode=755,size=1m tmpfs /sys/fs/cgroup
  while IFS=: read -r id controllers path; do
    case $controllers in
    '')
      mkdir /sys/fs/cgroup/unified
      mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
      unified=/sys/fs/cgroup/unified
      ;;
    name=*)
      mkdir "/sys/fs/cgroup/${controllers#name=}"
      mount -t cgroup -o "none,$controllers" cgroup "/sys/fs/cgroup/${controllers#name=}"
      ;;
    *)
      mkdir "/sys/fs/cgroup/$controllers"
      mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers"
      ;;
    esac
  done </proc/self/cgroup
fi
# In version 2 a group with children that have controllers may hold no processes itself: step down into a leaf.
if [ -n "$unified" ]; then
  mkdir -p "$unified/init"
  echo 1 >"$unified/init/cgroup.procs"
  for controller in $(cat "$unified/cgroup.controllers"); do
    echo "+$controller" >"$unified/cgroup.subtree_control" 2>/dev/null || true
  done
fi
ip link set lo up

echo "pid $host_pid"
read -r go
[ "$go" = go ]
exec </dev/null >>"$dir/log/init.log" 2>&1
set +e

# PID 1 from here on. `wait` collects every child, also the orphans that the kernel hands to us.
service=
stopping=
trap 'stopping=yes; [ -n "$service" ] && kill -TERM "$service"' TERM
while [ -z "$stopping" ]; do
  if [ $# -gt 0 ]; then
    "$@" &
  else
    sleep 86400 &
  fi
  service=$!
  while kill -0 "$service" 2>/dev/null; do wait "$service"; done
  [ -n "$stopping" ] && break
  [ $# -gt 0 ] && echo "init: $1 ended, starting it again in 1 s" && sleep 1
done
