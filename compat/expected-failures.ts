/**
 * Tests that are known to fail, with the reason, by suite. A failure that is not listed fails the run; a listed test that passes
 * is reported, so that its row can go.
 */
import type { BrokerKind, ExpectedFailure } from './suite.ts'

export const EXPECTED_FAILURES: { readonly [suite: string]: readonly ExpectedFailure[] } = {
  platformatic: [
    {
      test: 'transactions that commit and abort',
      reason:
        'The client keeps one range of aborted records for each producer and response (`clients/consumer/consumer.js`), so it delivers those of other aborted transactions',
      on: ['embedded', 'kafka'],
    },
  ],
  'librdkafka-consumer': [
    {
      test: '0045_subscribe_many_updates',
      reason:
        'The client sends no more heartbeats when it subscribes again before the answer to its leaving has come (`rd_kafka_cgrp_consumer_leave`), so its new subscription reaches no broker',
      on: ['embedded', 'kafka'],
    },
  ],
  'kafka-python': [
    {
      test: 'test_admin_integration.py::test_describe_metadata_quorum',
      reason: 'The embedded broker has no quorum of controllers, and does not announce DescribeQuorum',
    },
    {
      test: 'test_admin_integration.py::test_create_partitions',
      reason: 'It places partitions on the broker with the id 0, and that of the test bed is 1',
      on: ['kafka'],
    },
  ],
}

const NOT_OF_LIBRDKAFKA: readonly ExpectedFailure[] = [
  ...[
    '0170_share_consumer_subscription',
    '0171_share_consumer_consume',
    '0172_share_consumer_acknowledge',
    '0173_share_consumer_commit_async',
    '0174_share_consumer_concurrency',
    '0175_share_consumer_groups',
    '0176_share_consumer_commit_sync',
    '0177_share_consumer_transactions',
    '0178_share_consumer_close',
    '0179_share_consumer_destroy',
    '0180_share_consumer_config',
    '0181_share_consumer_topic_delete',
    '0184_share_consumer_topic_recreate',
    '0185_share_consumer_max_poll_interval',
  ].map((test) => ({ test, reason: 'It is about share groups (KIP-932), which the embedded broker does not have' })),
  ...['0139_offset_validation_mock', '0150_telemetry_mock'].map((test) => ({
    test,
    reason: 'It uses the mock cluster inside librdkafka, and no broker',
  })),
  ...['0028_long_topicnames', '0047_partial_buf_tmout'].map((test) => ({
    test,
    reason: 'librdkafka leaves it out, too: a known issue of its own',
  })),
  {
    test: '0055_producer_latency',
    reason: 'It measures how many milliseconds the client takes, which a busy machine does not keep to',
  },
  { test: '0097_ssl_verify', reason: "It needs the certificates of librdkafka's own test environment" },
  {
    test: '0101_fetch_from_follower',
    reason: 'It needs brokers in racks; all nodes of the embedded broker share one log',
  },
  ...['0126_oauthbearer_oidc', '0135_sasl_credentials', '0142_reauthentication'].map((test) => ({
    test,
    reason: "It needs a listener with SASL, for OAUTHBEARER with the token server of librdkafka's own test environment",
  })),
  { test: '0092_mixed_msgver', reason: 'It writes records in the format that Apache Kafka 4.0 has removed' },
]

/** Tests that are not run, by suite: they need what is there on neither broker, unless `on` says otherwise. */
const LEFT_OUT: { readonly [suite: string]: readonly ExpectedFailure[] } = {
  librdkafka: NOT_OF_LIBRDKAFKA,
  'librdkafka-consumer': [
    ...NOT_OF_LIBRDKAFKA,
    ...['0084_destroy_flags', '0132_strategy_ordering'].map((test) => ({
      test,
      reason: 'librdkafka leaves it out with the consumer protocol',
    })),
  ],
}

/** Why a test is not run on this broker; `undefined` when it is. */
export function whyLeftOut(suite: string, test: string, kind: BrokerKind): string | undefined {
  return LEFT_OUT[suite]?.find((each) => each.test === test && (each.on ?? ['embedded', 'kafka']).includes(kind))
    ?.reason
}
