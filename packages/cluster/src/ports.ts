/** TCP ports that a machine of the cluster listens on. */
export const API_PORT = 6443;
export const SUPERVISOR_PORT = 9345;
/** The kubelet API of the node agent: exec, logs, port-forward. */
export const AGENT_PORT = 10250;
/** The DNS server on each node, TCP and UDP; port 53 of a node may be taken. */
export const NODE_DNS_PORT = 10053;
