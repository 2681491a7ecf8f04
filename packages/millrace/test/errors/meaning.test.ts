import { describe, expect, test } from 'vitest'
import {
  AbortedError,
  AuthenticationError,
  BatchError,
  type BrokerError,
  CircuitOpenError,
  ClosedError,
  ConfigError,
  ConnectionError,
  CorruptRecordError,
  DecodeError,
  DeliveryError,
  EncodeError,
  ERROR_CODES,
  FileError,
  MillraceError,
  PipelineTimeoutError,
  StageError,
  TransactionError,
  UnexpectedError,
  type ErrorCode,
} from '../../src/errors/index.ts'
import { endsTransaction, LEFT_OUT, meaningOf, type Meaning } from '../../src/errors/meaning.ts'
import { brokerError, kafkaErrorName } from '../../src/kafka/protocol/kafka-errors.ts'

const connection = (code: ConstructorParameters<typeof ConnectionError>[0], cause?: unknown): ConnectionError =>
  new ConnectionError(code, 'x', { cause })
const KAFKA_CODES = Array.from({ length: 120 }, (_, i) => i + 1)
const kafka = (name: string): BrokerError =>
  brokerError(
    KAFKA_CODES.find((code) => kafkaErrorName(code) === name)!,
    'x',
  )
type DeliveryCode =
  | 'DELIVERY_FAILED'
  | 'DELIVERY_TIMED_OUT'
  | 'REFUSED_WITH_BATCH'
  | 'SEQUENCE_BROKEN'
  | 'RECORD_TOO_LARGE'
  | 'DEAD_LETTER_FAILED'
const delivery = (cause: unknown, code: DeliveryCode = 'DELIVERY_FAILED'): DeliveryError =>
  new DeliveryError('x', { code, cause })

class AnyError extends MillraceError {}

describe('the meaning of a failure', () => {
  test.each<{ name: string; error: unknown; meaning: Meaning }>([
    // Every record would meet the same, or going on is not safe.
    { name: 'credentials that are refused', error: new AuthenticationError('x'), meaning: 'ends-run' },
    { name: 'a certificate that is not trusted', error: connection('TLS_FAILED'), meaning: 'ends-run' },
    { name: 'a broker that is too old', error: connection('UNSUPPORTED_BROKER'), meaning: 'ends-run' },
    { name: 'a lack of permission', error: kafka('TOPIC_AUTHORIZATION_FAILED'), meaning: 'ends-run' },
    { name: 'a lack of permission for the cluster', error: kafka('CLUSTER_AUTHORIZATION_FAILED'), meaning: 'ends-run' },
    { name: 'a setting that the broker refuses', error: kafka('INVALID_REQUIRED_ACKS'), meaning: 'ends-run' },
    { name: 'misuse', error: new ClosedError('a sink'), meaning: 'ends-run' },
    { name: 'options that cannot be used', error: new ConfigError('x'), meaning: 'ends-run' },
    { name: 'being stopped', error: new AbortedError('x'), meaning: 'ends-run' },
    { name: 'a timeout of the whole run', error: new PipelineTimeoutError('p', 1), meaning: 'ends-run' },
    { name: 'a producer that was fenced', error: new TransactionError('x', { fatal: true }), meaning: 'ends-run' },
    { name: 'a transaction that is aborted', error: new TransactionError('x', { fatal: false }), meaning: 'ends-run' },
    { name: 'sequences that are broken', error: delivery(undefined, 'SEQUENCE_BROKEN'), meaning: 'ends-run' },
    { name: 'bytes that are corrupt', error: new CorruptRecordError('x'), meaning: 'ends-run' },
    {
      name: 'a dead letter that cannot be written',
      error: delivery(undefined, 'DEAD_LETTER_FAILED'),
      meaning: 'ends-run',
    },
    { name: 'a bug that was noticed', error: new UnexpectedError('x'), meaning: 'ends-run' },
    { name: 'a bug that was not', error: new TypeError('x'), meaning: 'ends-run' },
    // Wrapped on their way.
    {
      name: 'a delivery that met refused credentials',
      error: delivery(new AuthenticationError('x')),
      meaning: 'ends-run',
    },
    {
      name: 'a delivery that timed out on refused credentials',
      error: delivery(new AuthenticationError('x'), 'DELIVERY_TIMED_OUT'),
      meaning: 'ends-run',
    },
    { name: 'a delivery that met a certificate', error: delivery(connection('TLS_FAILED')), meaning: 'ends-run' },
    {
      name: 'a delivery without permission',
      error: delivery(kafka('TOPIC_AUTHORIZATION_FAILED')),
      meaning: 'ends-run',
    },
    {
      name: 'brokers that cannot be reached because of credentials, two links down',
      error: delivery(connection('BROKER_UNREACHABLE', new AuthenticationError('x')), 'DELIVERY_TIMED_OUT'),
      meaning: 'ends-run',
    },
    // The sink may be back later.
    { name: 'no broker', error: connection('BROKER_UNREACHABLE'), meaning: 'sink-down' },
    { name: 'a connection that was lost', error: connection('BROKER_DISCONNECTED'), meaning: 'sink-down' },
    { name: 'no answer', error: connection('REQUEST_TIMED_OUT'), meaning: 'sink-down' },
    { name: 'no token', error: connection('TOKEN_UNAVAILABLE'), meaning: 'sink-down' },
    { name: 'a leader that moved', error: kafka('NOT_LEADER_OR_FOLLOWER'), meaning: 'sink-down' },
    { name: 'too few replicas', error: delivery(kafka('NOT_ENOUGH_REPLICAS')), meaning: 'sink-down' },
    {
      name: 'a delivery that timed out',
      error: delivery(connection('REQUEST_TIMED_OUT'), 'DELIVERY_TIMED_OUT'),
      meaning: 'sink-down',
    },
    { name: 'a delivery of which nothing is known', error: delivery(undefined), meaning: 'sink-down' },
    {
      name: 'a full disk',
      error: new FileError('FILE_UNWRITABLE', 'x', { cause: new Error('ENOSPC') }),
      meaning: 'sink-down',
    },
    // The record is at fault.
    { name: 'a value that is not JSON', error: new DecodeError('value', 'x'), meaning: 'record' },
    { name: 'a stage that failed', error: new StageError('x'), meaning: 'record' },
    { name: 'a document that cannot be written', error: new EncodeError('x'), meaning: 'record' },
    {
      name: 'a record above the limit of its topic',
      error: delivery(kafka('MESSAGE_TOO_LARGE'), 'RECORD_TOO_LARGE'),
      meaning: 'record',
    },
    { name: 'a record that the broker refuses', error: delivery(kafka('INVALID_RECORD')), meaning: 'record' },
    { name: 'a timestamp that the topic refuses', error: delivery(kafka('INVALID_TIMESTAMP')), meaning: 'record' },
    // Nothing about the record, nor about the sink.
    {
      name: 'a record beside one that was refused',
      error: delivery(kafka('INVALID_RECORD'), 'REFUSED_WITH_BATCH'),
      meaning: 'says-nothing',
    },
    {
      name: 'a record behind one that could not be delivered',
      error: delivery(delivery(connection('REQUEST_TIMED_OUT'), 'DELIVERY_TIMED_OUT'), 'REFUSED_WITH_BATCH'),
      meaning: 'says-nothing',
    },
    { name: 'an open circuit', error: new CircuitOpenError('x', 1), meaning: 'says-nothing' },
    // Several at once: the gravest counts.
    {
      name: 'records that were refused beside others',
      error: new BatchError(
        'x',
        new Map<number, MillraceError>([
          [0, new EncodeError('x')],
          [1, delivery(undefined, 'REFUSED_WITH_BATCH')],
        ]),
      ),
      meaning: 'record',
    },
    {
      name: 'records of which some met a sink that is down',
      error: new BatchError(
        'x',
        new Map<number, MillraceError>([
          [0, new EncodeError('x')],
          [1, connection('REQUEST_TIMED_OUT')],
        ]),
      ),
      meaning: 'sink-down',
    },
    {
      name: 'records of which one met refused credentials',
      error: new BatchError(
        'x',
        new Map<number, MillraceError>([
          [0, connection('REQUEST_TIMED_OUT')],
          [1, delivery(new AuthenticationError('x'))],
        ]),
      ),
      meaning: 'ends-run',
    },
  ])('of $name: $meaning', ({ error, meaning }) => {
    expect(meaningOf(error)).toBe(meaning)
  })

  test.each(Object.keys(ERROR_CODES) as ErrorCode[])('of %s is decided', (code) => {
    expect(['ends-run', 'sink-down', 'record', 'says-nothing']).toContain(meaningOf(new AnyError(code, 'x')))
  })

  test('never lets what Kafka calls retriable end the run, nor dispose of a record for what concerns all records', () => {
    for (const code of KAFKA_CODES) {
      const error = brokerError(code, 'x')
      if (error.retriable) expect([error.kafkaName, meaningOf(error)]).not.toContain('ends-run')
      else expect([error.kafkaName, meaningOf(error)]).not.toContain('sink-down')
    }
  })
})

describe('a transaction', () => {
  const refused = kafka('INVALID_RECORD')

  test.each([
    ['ends with a record that the broker refused', delivery(refused), true],
    [
      'goes on without a record that the broker refused alone',
      new DeliveryError('x', { cause: refused, context: LEFT_OUT }),
      false,
    ],
    ['goes on after a record that was not sent', new EncodeError('x'), false],
    ['goes on after a record that is too large to be sent', delivery(undefined, 'RECORD_TOO_LARGE'), false],
    [
      'ends with a record that the broker finds too large',
      delivery(kafka('MESSAGE_TOO_LARGE'), 'RECORD_TOO_LARGE'),
      true,
    ],
    ['ends when the sink is down', delivery(connection('BROKER_UNREACHABLE')), true],
  ])('%s', (_, error, ends) => {
    expect(endsTransaction(error)).toBe(ends)
  })
})
