/** All suites, in the order in which `--help` lists them. */
import type { Suite } from '../suite.ts'
import { differential } from './differential.ts'
import { franzGo } from './franz-go.ts'
import { java } from './java/index.ts'
import { kafkaStreams } from './kafka-streams/index.ts'
import { kafkajs } from './kafkajs.ts'
import { kcatSuite } from './kcat.ts'
import { librdkafka, librdkafkaConsumer } from './librdkafka/index.ts'
import { kafkaPython } from './kafka-python/index.ts'
import { platformatic } from './platformatic.ts'

export const SUITES: readonly Suite[] = [
  java,
  kafkaStreams,
  kcatSuite,
  kafkajs,
  platformatic,
  librdkafka,
  librdkafkaConsumer,
  franzGo,
  kafkaPython,
  differential,
]
