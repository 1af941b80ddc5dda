import { after, before, describe } from 'node:test';
import { badInput } from './scenarios/bad-input.ts';
import { claims } from './scenarios/claims.ts';
import { faultScenarios } from './scenarios/faults.ts';
import { tools } from './scenarios/kubectl.ts';
import { restart } from './scenarios/restart.ts';
import { services } from './scenarios/services.ts';
import { Stage } from './stage.ts';

// One lab for all scenarios, in this order: each leaves the sample app running.
describe('a bare-metal cluster in the lab', () => {
  let opened: Stage | undefined;
  const stage = (): Stage => {
    if (!opened) throw new Error('the lab did not come up');
    return opened;
  };
  before(async () => {
    opened = await Stage.open('e2e');
  });
  after(async () => {
    await opened?.[Symbol.asyncDispose]();
  });

  describe('what npm start shows', () => claims(stage));
  describe('kubectl and helm', () => tools(stage));
  describe('Services', () => services(stage));
  describe('bad input', () => badInput(stage));
  describe('changes and faults under load', () => faultScenarios(stage));
  describe('restart', () => restart(stage));
});
