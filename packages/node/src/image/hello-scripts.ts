/*
 * The sample application, in busybox's shell. httpd of busybox accepts in one process and forks for each connection, so a client that
 * says nothing holds only its own process. Identity comes from the downward API: POD_NAME, POD_NAMESPACE, POD_IP, NODE_NAME.
 */

/**
 * The first process. On SIGTERM it goes on serving for HELLO_DRAIN_SECONDS (5), because load balancers and kube-proxies need a moment to
 * learn that the endpoint is going; then it ends with 0. The port is LISTEN_PORT (8080) and not HELLO_PORT, which a Service called hello
 * would set to its URL.
 */
export const HELLO_INIT = `#!/bin/sh
httpd -f -p "\${LISTEN_PORT:-8080}" -h /www &
server=$!
trap 'echo "draining"; sleep "\${HELLO_DRAIN_SECONDS:-5}" & wait $!; kill $server; echo "bye"; exit 0' TERM INT
echo "hello $HELLO_VERSION: $HOSTNAME serves on port \${LISTEN_PORT:-8080}"
wait $server
`;

/** Answers / in text, and in JSON for /json/ or when the client accepts application/json. */
export const HELLO_CGI = `#!/bin/sh
client=\${REMOTE_ADDR#[}
client=\${client%]}
client=\${client#::ffff:}
pod=\${POD_NAME:-$HOSTNAME}
case "$REQUEST_URI $HTTP_ACCEPT" in
/json* | *application/json*)
  type=application/json
  body="{\\"pod\\":\\"$pod\\",\\"namespace\\":\\"$POD_NAMESPACE\\",\\"node\\":\\"$NODE_NAME\\",\\"podIP\\":\\"$POD_IP\\",\\"client\\":\\"$client\\",\\"version\\":\\"$HELLO_VERSION\\"}"
  ;;
*)
  type=text/plain
  body="Hello from pod $pod ($POD_IP) on node $NODE_NAME, version $HELLO_VERSION. You are $client."
  ;;
esac
printf 'Connection: close\\r\\nContent-Type: %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s\\n' "$type" $((\${#body} + 1)) "$body"
`;
