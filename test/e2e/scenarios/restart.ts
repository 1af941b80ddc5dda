import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVICES } from '@ballast/kube';
import { eventually, type Stage } from '../stage.ts';
import { externalAddress } from './claims.ts';

/** The whole lab is switched off and on again. */
export function restart(stage: () => Stage): void {
  test('after a restart of everything the state is there and the Service answers at the same address', async () => {
    const before = await stage().client.get(SERVICES, { namespace: 'default', name: 'hello' });
    const address = await externalAddress(stage(), 'hello');
    await stage().restart();
    const after = await eventually(() => stage().client.get(SERVICES, { namespace: 'default', name: 'hello' }));
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.equal(after.spec?.clusterIP, before.spec?.clusterIP);
    assert.equal(await externalAddress(stage(), 'hello'), address);
    const answer = await eventually(() => stage().fetchFrom('client', `http://${address}/json/`), 90);
    assert.match(answer.pod, /^hello-/);
  });
}
