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

/** Tests that are not run, by suite: what they need is not there on either broker, unless `on` says otherwise. */
const LEFT_OUT: { readonly [suite: string]: readonly ExpectedFailure[] } = {
  librdkafka: [
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
  ],
}

/** Why a test is not run on this broker; `undefined` when it is. */
export function whyLeftOut(suite: string, test: string, kind: BrokerKind): string | undefined {
  return LEFT_OUT[suite]?.find((each) => each.test === test && (each.on ?? ['embedded', 'kafka']).includes(kind))
    ?.reason
}
