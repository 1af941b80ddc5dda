import { LAN } from './topology.ts';

/**
 * FRR's configuration for the lab's router. Nodes peer from anywhere on the LAN (a listen range), so adding a node needs no change here; hold
 * time 3 s is the least that BGP allows. `maximum-paths` makes several announcers of one address an equal-cost route.
 */
export function frrConfig(logFile: string): string {
  return `frr defaults datacenter
hostname router
log file ${logFile} informational
!
router bgp ${LAN.routerAsn}
 bgp router-id ${LAN.router}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 timers bgp 1 3
 neighbor nodes peer-group
 neighbor nodes remote-as ${LAN.nodeAsn}
 neighbor nodes timers 1 3
 neighbor nodes passive
 bgp listen limit 256
 bgp listen range ${LAN.prefix} peer-group nodes
 address-family ipv4 unicast
  neighbor nodes activate
  maximum-paths 64
 exit-address-family
exit
!
`;
}

/** The shell that PID 1 of the router runs as its service: FRR with folders of its own, nothing of the host's. */
export function routerService(dir: string): string[] {
  const script = `
mount -t tmpfs -o mode=1777,size=16m tmpfs /var/tmp
mkdir -p /run/frr /etc/frr
cp ${dir}/frr.conf /etc/frr/frr.conf
: > /etc/frr/vtysh.conf
mkdir -p ${dir}/log/frr
chown -R frr:frr /run/frr /etc/frr ${dir}/log/frr
cd /proc/sys/net/ipv4
echo 1 > ip_forward
echo 1 > fib_multipath_hash_policy
echo 0 > conf/all/send_redirects
echo 0 > conf/eth0/send_redirects
cd /
/usr/lib/frr/zebra -A 127.0.0.1 -f /etc/frr/frr.conf -i /run/frr/zebra.pid -z /run/frr/zserv.api &
zebra=$!
until [ -S /run/frr/zserv.api ]; do sleep 0.05; done
/usr/lib/frr/bgpd -A 127.0.0.1 -f /etc/frr/frr.conf -i /run/frr/bgpd.pid -z /run/frr/zserv.api -p 179 &
bgpd=$!
trap 'kill $zebra $bgpd' TERM
wait -n 2>/dev/null || wait
kill $zebra $bgpd 2>/dev/null
wait
`;
  return ['/bin/bash', '-c', script];
}
