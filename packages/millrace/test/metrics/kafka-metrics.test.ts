import { describe, expect, test } from 'vitest'
import {
  KafkaSinkMetrics,
  KafkaSinkMetricsSnapshot,
  KafkaSourceMetrics,
  KafkaSourceMetricsSnapshot,
} from '../../src/metrics/index.ts'
import { readPrometheus } from '../support/prometheus.ts'

function source(): KafkaSourceMetrics {
  const metrics = new KafkaSourceMetrics()
  metrics.recordBatch(7, 350)
  metrics.recordBatch(0, 0)
  metrics.recordBatch(2, 100)
  metrics.recordBatch(12, 600)
  metrics.recordError()
  metrics.recordCommit()
  metrics.recordCommit()
  metrics.recordCommitFailure()
  metrics.recordRebalance()
  return metrics
}

function sink(): KafkaSinkMetrics {
  const metrics = new KafkaSinkMetrics()
  metrics.recordBatch(4, 40)
  metrics.recordBatch(5, 50)
  metrics.recordError()
  metrics.recordFlush()
  metrics.recordRetry()
  metrics.recordRetry()
  return metrics
}

describe('of a source', () => {
  test('the Prometheus text is byte for byte that of Rivven', () => {
    expect(source().snapshot().toPrometheusFormat('rivven'))
      .toBe(`# HELP rivven_messages_consumed_total Total messages consumed
# TYPE rivven_messages_consumed_total counter
rivven_messages_consumed_total 21
# HELP rivven_bytes_consumed_total Total bytes consumed
# TYPE rivven_bytes_consumed_total counter
rivven_bytes_consumed_total 1050
# HELP rivven_polls_total Total poll operations
# TYPE rivven_polls_total counter
rivven_polls_total 4
# HELP rivven_empty_polls_total Empty poll operations
# TYPE rivven_empty_polls_total counter
rivven_empty_polls_total 1
# HELP rivven_errors_total Total errors
# TYPE rivven_errors_total counter
rivven_errors_total 1
# HELP rivven_commits_total Total commit operations
# TYPE rivven_commits_total counter
rivven_commits_total 2
# HELP rivven_commit_failures_total Failed commit operations
# TYPE rivven_commit_failures_total counter
rivven_commit_failures_total 1
# HELP rivven_rebalances_total Total rebalance events
# TYPE rivven_rebalances_total counter
rivven_rebalances_total 1
# HELP rivven_batch_size_min Minimum batch size
# TYPE rivven_batch_size_min gauge
rivven_batch_size_min 2
# HELP rivven_batch_size_max Maximum batch size
# TYPE rivven_batch_size_max gauge
rivven_batch_size_max 12
# HELP rivven_batch_size_avg Average batch size
# TYPE rivven_batch_size_avg gauge
rivven_batch_size_avg 7.00
`)
  })

  test('JSON has the field names of Rivven in its order, and is read back', () => {
    const snapshot = source().snapshot()
    const json =
      '{"messages_consumed":21,"bytes_consumed":1050,"polls":4,"empty_polls":1,"errors":1,"commits":2,"commit_failures":1,"rebalances":1,"min_batch_size":2,"max_batch_size":12,"batch_size_sum":21,"batch_count":3}'
    expect(JSON.stringify(snapshot)).toBe(json)
    expect(KafkaSourceMetricsSnapshot.fromJSON(json)).toEqual(snapshot)
    expect(KafkaSourceMetricsSnapshot.fromJSON(snapshot.toJSON())).toEqual(snapshot)
  })

  test('derived values come from the snapshot', () => {
    const snapshot = source().snapshot()
    expect([snapshot.avgBatchSize(), snapshot.rate(2), snapshot.rate(0), snapshot.emptyPollRate()]).toEqual([
      7, 10.5, 0, 0.25,
    ])
    const none = new KafkaSourceMetrics().snapshot()
    expect([none.avgBatchSize(), none.rate(1), none.emptyPollRate(), none.minBatchSize]).toEqual([0, 0, 0, 0])
  })

  test('snapshotAndReset counts from zero again, the smallest batch included', () => {
    const metrics = source()
    expect(metrics.snapshotAndReset()).toEqual(source().snapshot())
    expect(metrics.snapshot()).toEqual(new KafkaSourceMetrics().snapshot())
    metrics.recordBatch(9, 1)
    expect(metrics.snapshot()).toMatchObject({ minBatchSize: 9, maxBatchSize: 9, polls: 1 })
  })
})

describe('of a sink', () => {
  test('the Prometheus text has the names and the order of Rivven', () => {
    const text = sink().snapshot().toPrometheusFormat('orders')
    expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      'orders_messages_produced_total 9',
      'orders_bytes_produced_total 90',
      'orders_sends_total 2',
      'orders_errors_total 1',
      'orders_flushes_total 1',
      'orders_retries_total 2',
      'orders_batch_size_min 4',
      'orders_batch_size_max 5',
      'orders_batch_size_avg 4.50',
      '',
    ])
    expect(readPrometheus(text).get('orders_flushes_total')).toMatchObject({
      help: 'Total flush operations',
      type: 'counter',
    })
  })

  test('JSON is read back, and derived values come from the snapshot', () => {
    const snapshot = sink().snapshot()
    expect(JSON.stringify(snapshot)).toBe(
      '{"messages_produced":9,"bytes_produced":90,"sends":2,"errors":1,"flushes":1,"retries":2,"min_batch_size":4,"max_batch_size":5,"batch_size_sum":9,"batch_count":2}',
    )
    expect(KafkaSinkMetricsSnapshot.fromJSON(JSON.stringify(snapshot))).toEqual(snapshot)
    expect([snapshot.avgBatchSize(), snapshot.rate(3), snapshot.successRate()]).toEqual([4.5, 3, 0.9])
    expect(new KafkaSinkMetrics().snapshot().successRate()).toBe(1)
    const metrics = sink()
    metrics.snapshotAndReset()
    expect(metrics.snapshot()).toEqual(new KafkaSinkMetrics().snapshot())
  })
})

test.each([
  ['{', 'it is not valid JSON'],
  ['[]', 'it must be a JSON object'],
  ['{"messages_consumed":1}', '"bytes_consumed" must be a whole number of at least 0: current value is missing'],
  [
    JSON.stringify({ ...source().snapshot().toJSON(), polls: -1 }),
    '"polls" must be a whole number of at least 0: current value is -1',
  ],
])('a snapshot is not read from %s', (json, why) => {
  expect(() => KafkaSourceMetricsSnapshot.fromJSON(json)).toThrow(why)
})

test('a prefix that cannot begin a name is refused', () => {
  expect(() => sink().snapshot().toPrometheusFormat('my-app')).toThrow('the prefix "my-app"')
})
