import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsRegistry } from './metrics.ts';

test('the exposition has HELP, TYPE, labels in order and cumulative buckets', () => {
  const metrics = new MetricsRegistry();
  const requests = metrics.counter({ name: 'requests_total', help: 'All\nrequests', labels: ['code', 'path'] });
  requests.inc(['200', '/a"b']);
  requests.inc(['200', '/a"b'], 2);
  metrics.gauge({ name: 'up', help: 'Up' }).set(1);
  const seconds = metrics.histogram({ name: 'seconds', help: 'Time', buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 3]) seconds.observe(value);
  metrics.gaugeOf({ name: 'peers', help: 'Peers', labels: ['peer'] }, () => [[['a'], 2]]);
  assert.equal(
    metrics.expose(),
    [
      '# HELP requests_total All\\nrequests',
      '# TYPE requests_total counter',
      'requests_total{code="200",path="/a\\"b"} 3',
      '# HELP up Up',
      '# TYPE up gauge',
      'up 1',
      '# HELP seconds Time',
      '# TYPE seconds histogram',
      'seconds_bucket{le="0.1"} 2',
      'seconds_bucket{le="1"} 3',
      'seconds_bucket{le="+Inf"} 4',
      'seconds_sum 3.65',
      'seconds_count 4',
      '# HELP peers Peers',
      '# TYPE peers gauge',
      'peers{peer="a"} 2',
      '',
    ].join('\n'),
  );
});

test('a counter without labels starts at zero, so that a rate over it is defined', () => {
  const metrics = new MetricsRegistry();
  metrics.counter({ name: 'errors_total', help: 'Errors' });
  assert.match(metrics.expose(), /^errors_total 0$/m);
});

test('declaring a name twice is a bug', () => {
  const metrics = new MetricsRegistry();
  metrics.gauge({ name: 'up', help: 'Up' });
  assert.throws(() => metrics.gauge({ name: 'up', help: 'Up' }), /declared twice/);
});
