/**
 * The Corefile of a cluster that brings none: CoreDNS's stock one, on port 10053 of the node (the cluster's DNS Service leads there), with
 * the HTTP listeners on ports that do not collide with what people run on a node.
 */
export const DEFAULT_COREFILE = `.:10053 {
    errors
    health :10054 {
        lameduck 5s
    }
    ready :10055
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;
