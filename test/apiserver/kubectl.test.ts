import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { toolPath } from '@ballast/cli';
import { startTestServer, type TestServer } from '../../packages/apiserver/src/testdata/test-server.ts';

// The real kubectl and helm against an API server that has nothing behind it: no controllers, no nodes.

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let api: TestServer;
let home: string;
let kubeconfig: string;

before(async () => {
  api = await startTestServer();
  home = await mkdtemp(join(tmpdir(), 'ballast-kubectl-'));
  kubeconfig = await api.kubeconfig();
  await kubectl('create serviceaccount default');
});
after(async () => {
  await api[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

async function tool(name: 'kubectl' | 'helm', args: readonly string[], input?: string): Promise<Said> {
  const child = spawn(await toolPath(name), args, {
    env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdin.end(input ?? '');
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, out, err })));
}

/** Runs kubectl with space-separated arguments and expects it to succeed. */
async function kubectl(args: string, input?: string): Promise<string> {
  const said = await tool('kubectl', args.split(' '), input);
  assert.equal(said.code, 0, `kubectl ${args}: ${said.err}`);
  return said.out;
}

/** Runs kubectl and returns what it complains about. */
async function refusal(args: string, input?: string): Promise<string> {
  const said = await tool('kubectl', args.split(' '), input);
  assert.notEqual(said.code, 0, `kubectl ${args} succeeded: ${said.out}`);
  return said.err;
}

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1", env: [{name: A, value: "1"}], ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
`;

test('kubectl api-resources, version and explain', async () => {
  const resources = await kubectl('api-resources');
  for (const line of [/^pods +po +v1 +true +Pod$/m, /^deployments +deploy +apps\/v1 +true +Deployment$/m])
    assert.match(resources, line);
  assert.match(await kubectl('version'), /Server Version: v1\.36/);
  assert.match(await kubectl('explain deployment.spec.replicas'), /FIELD: replicas <integer>/);
});

test('kubectl create makes what its generators make, sent as protobuf', async () => {
  await kubectl('create configmap cm --from-literal=a=b');
  await kubectl('create secret generic s --from-literal=a=b');
  await kubectl('create namespace ns');
  await kubectl('create deployment d --image=nginx --replicas=3 --port=80');
  await kubectl('create role r --verb=get --resource=pods');
  await kubectl('create rolebinding rb --role=r --serviceaccount=default:default');
  await kubectl('create service nodeport np --tcp=80:8080');
  await kubectl('create priorityclass high --value=1000');
  await kubectl('create poddisruptionbudget pdb --selector=app=d --min-available=1');
  await kubectl('run p --image=nginx --restart=Never --env=A=B');
  await kubectl('expose deployment d --name=exposed --port=80 --type=NodePort');
  assert.equal(await kubectl('get secret s -o jsonpath={.data.a}'), 'Yg==');
  assert.equal(await kubectl('get deployment d -o jsonpath={.spec.replicas}'), '3');
  assert.match(await kubectl('get all'), /deployment\.apps\/d +0\/3/);
  assert.match(await kubectl('create token default'), /^ey/);
});

test('kubectl apply, client-side: create, change, leave, prune a field', async () => {
  assert.match(await kubectl('apply -f -', DEPLOYMENT), /deployment.apps\/web created\nservice\/web created/);
  assert.match(await kubectl('apply -f -', DEPLOYMENT), /deployment.apps\/web unchanged\nservice\/web unchanged/);
  const changed = DEPLOYMENT.replace('env: [{name: A, value: "1"}], ', '');
  assert.match(await kubectl('apply -f -', changed), /deployment.apps\/web configured/);
  assert.equal(await kubectl('get deploy web -o jsonpath={.spec.template.spec.containers[0].env}'), '');
});

test('kubectl apply --server-side, with a conflict and its resolution', async () => {
  await kubectl('apply --server-side --field-manager=one -f -', DEPLOYMENT.replaceAll('web', 'ssa'));
  const other = DEPLOYMENT.replaceAll('web', 'ssa').replace('replicas: 2', 'replicas: 5');
  assert.match(
    await refusal('apply --server-side --field-manager=two -f -', other),
    /conflict with "one": \.spec\.replicas/,
  );
  await kubectl('apply --server-side --force-conflicts --field-manager=two -f -', other);
  assert.equal(await kubectl('get deploy ssa -o jsonpath={.spec.replicas}'), '5');
});

test('kubectl diff shows what apply would do, by a dry run', async () => {
  await kubectl('apply -f -', DEPLOYMENT.replaceAll('web', 'diffed'));
  const said = await tool(
    'kubectl',
    ['diff', '-f', '-'],
    DEPLOYMENT.replaceAll('web', 'diffed').replace('replicas: 2', 'replicas: 9'),
  );
  assert.equal(said.code, 1);
  assert.match(said.out, /^\+ {2}replicas: 9$/m);
});

test('kubectl label, annotate, scale, set, patch, taint and cordon', async () => {
  await kubectl('apply -f -', DEPLOYMENT.replaceAll('web', 'changed'));
  await kubectl('label deploy changed tier=front');
  await kubectl('annotate deploy changed note=x');
  await kubectl('scale deploy changed --replicas=7');
  await kubectl('set image deploy/changed changed=nginx:2');
  await kubectl('set env deploy/changed B=2');
  await tool('kubectl', [
    'patch',
    'deploy',
    'changed',
    '--type=json',
    '-p',
    '[{"op":"add","path":"/spec/paused","value":true}]',
  ]);
  assert.match(await kubectl('get deploy -l tier=front -o wide'), /changed +0\/7 +0 +0 +\S+ +changed +nginx:2/);
  assert.equal(await kubectl('get deploy changed -o jsonpath={.spec.paused}'), 'true');
  await kubectl('create -f -', 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n');
  await kubectl('taint node n1 k=v:NoSchedule');
  await kubectl('cordon n1');
  assert.match(await kubectl('get node n1'), /n1 +(NotReady|Unknown),SchedulingDisabled/);
});

test('kubectl describe works for what is there', async () => {
  await kubectl('apply -f -', DEPLOYMENT.replaceAll('web', 'described'));
  assert.match(await kubectl('describe deploy described'), /Replicas: +2 desired/);
  assert.match(await kubectl('describe svc described'), /LoadBalancer/);
  assert.match(await kubectl('describe ns default'), /Status: +Active/);
});

test('a wrong field, a wrong type and a wrong value are refused with where', async () => {
  assert.match(
    await refusal('apply -f -', DEPLOYMENT.replace('replicas: 2', 'replica: 2')),
    /unknown field "spec.replica"/,
  );
  assert.match(
    await refusal(
      'create -f - --validate=false',
      DEPLOYMENT.replaceAll('web', 'bad').replace('replicas: 2', 'replicas: two'),
    ),
    /cannot be handled as a Deployment/,
  );
  assert.match(
    await refusal('create -f -', DEPLOYMENT.replaceAll('web', 'bad').replace('replicas: 2', 'replicas: -2')),
    /spec.replicas: Invalid value: -2: must be greater than or equal to 0/,
  );
});

test('kubectl delete and wait', async () => {
  await kubectl('create configmap gone');
  await kubectl('delete configmap gone');
  await kubectl('wait --for=delete configmap/gone --timeout=5s');
  assert.match(await refusal('get configmap gone'), /configmaps "gone" not found/);
});

test('kubectl get -w prints changes as they come', async () => {
  const child = spawn(
    await toolPath('kubectl'),
    ['get', 'configmap', '-l', 'watched', '-w', '--output-watch-events', '--request-timeout=20s'],
    {
      env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig },
    },
  );
  let out = '';
  const seen = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not seen: ${pattern} in ${out}`)), 10_000);
      const look = () => {
        if (!pattern.test(out)) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', look);
      look();
    });
  child.stdout.on('data', (chunk) => (out += chunk));
  await kubectl('create -f -', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: watched, labels: {watched: a}}\n');
  await seen(/ADDED +watched/);
  await kubectl('label configmap watched watched=b --overwrite');
  await seen(/MODIFIED +watched/);
  await kubectl('delete configmap watched');
  await seen(/DELETED +watched/);
  child.kill();
});

test('custom resources: served as soon as defined, printed, validated, explained, scaled, and gone with their definition', async () => {
  const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties: {size: {type: integer, minimum: 1}, color: {type: string, default: red}, replicas: {type: integer}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;
  const widget = (spec: string) => `apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: ${spec}\n`;
  await kubectl('apply -f -', crd);
  await kubectl('wait --for=condition=Established crd/widgets.example.com --timeout=5s');
  await kubectl('apply -f -', widget('{size: 3}'));
  assert.match(await kubectl('get wd'), /NAME +SIZE\na +3/);
  assert.equal(await kubectl('get widget a -o jsonpath={.spec.color}'), 'red');
  assert.match(
    await refusal('apply -f -', widget('{size: 0}')),
    /spec.size in body should be greater than or equal to 1/,
  );
  assert.match(await refusal('apply -f -', widget('{size: 1, colour: x}')), /unknown field "spec.colour"/);
  assert.match(await kubectl('apply -f -', widget('{size: 4}')), /configured/);
  await kubectl('scale widget a --replicas=2');
  assert.equal(
    await kubectl('get widgets.v1beta1.example.com a -o jsonpath={.apiVersion}/{.spec.replicas}'),
    'example.com/v1beta1/2',
  );
  assert.match(await kubectl('explain widget.spec.size'), /FIELD: size <integer>/);
  await kubectl('delete crd widgets.example.com');
  assert.match(
    await refusal('get widgets'),
    /the server doesn't have a resource type "widgets"|could not find the requested resource/,
  );
});

test('kubectl auth: who am I, what may I', async () => {
  assert.match(await kubectl('auth whoami'), /Username +admin/);
  assert.equal(await kubectl('auth can-i create pods'), 'yes\n');
  const mine = kubeconfig;
  kubeconfig = await api.kubeconfig('developer');
  assert.match((await tool('kubectl', ['auth', 'can-i', 'create', 'pods'])).out, /^no/);
  assert.match(await refusal('get pods'), /pods is forbidden: User "jane" cannot list resource "pods"/);
  kubeconfig = mine;
});

test('helm 4 installs, upgrades, rolls back and uninstalls a chart', { timeout: 60_000 }, async () => {
  const helm = async (...args: string[]) => {
    const said = await tool('helm', args);
    assert.equal(said.code, 0, `helm ${args.join(' ')}: ${said.err}`);
    return said.out;
  };
  const chart = join(home, 'demo');
  await helm('create', chart);
  await helm('install', 'rel', chart);
  assert.equal(await kubectl('get deploy rel-demo -o jsonpath={.spec.replicas}'), '1');
  await helm('upgrade', 'rel', chart, '--set', 'replicaCount=2');
  assert.equal(await kubectl('get deploy rel-demo -o jsonpath={.spec.replicas}'), '2');
  await helm('rollback', 'rel', '1');
  assert.equal(await kubectl('get deploy rel-demo -o jsonpath={.spec.replicas}'), '1');
  assert.match(await helm('history', 'rel'), /Rollback to 1/);
  await helm('uninstall', 'rel');
  assert.match(await refusal('get deploy rel-demo'), /not found/);
});
