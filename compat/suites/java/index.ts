/** Kafka's own tools, which come with its jars: the Java clients, used as Kafka's users use them. */
import { whyNoJava } from '../../../test-bed/java.ts'
import type { Suite } from '../../suite.ts'
import { inTurn } from '../../tests.ts'
import { ADMIN_TESTS } from './admin.ts'
import { GROUP_TESTS } from './groups.ts'
import { RECORD_TESTS } from './records.ts'
import { TRANSACTION_TESTS } from './transactions.ts'

export const java: Suite = {
  name: 'java',
  summary: "Kafka's command-line tools (org.apache.kafka:kafka-tools 4.3.1, with the jars of the test bed)",
  whyNot: whyNoJava,
  run: inTurn(
    { ...RECORD_TESTS, ...GROUP_TESTS, ...TRANSACTION_TESTS, ...ADMIN_TESTS },
    {
      atATime: 2,
      // Up to ten Java processes in turn, on a machine that may be busy.
      timeoutMs: 600_000,
      // Each of these starts a Java process for every step; the others cover what is most used.
      longOnes: [
        'console producer and consumer, gzip, consumer protocol',
        'ConfigCommand, brokers',
        'ConfigCommand, groups',
        'TransactionsCommand, abort',
        'VerifiableProducer and VerifiableConsumer, consumer protocol',
        'ProducerPerformance with transactions',
        'ConsumerGroupCommand, offsets, consumer protocol',
        'ConsumerGroupCommand, members, consumer protocol',
        'TransactionalMessageCopier, group metadata',
        'TransactionsCommand, forceTerminateTransaction',
        'ClusterTool, FeatureCommand, LogDirsCommand',
        'DeleteRecordsCommand',
        'GetOffsetShell',
      ],
    },
  ),
}
