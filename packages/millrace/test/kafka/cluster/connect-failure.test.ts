import { expect, test } from 'vitest'
import { ConnectionError } from '../../../src/errors/index.ts'
import { connectFailure } from '../../../src/kafka/cluster/connect-failure.ts'

const lost = (text: string): ConnectionError =>
  new ConnectionError('BROKER_DISCONNECTED', text, { cause: new Error('Connection closed') })

test.for([
  {
    // A connection that was cut while it was set up ended the run: our own guess at the reason was taken for what the broker said.
    what: 'a connection that breaks at its first request',
    error: lost(
      'Broker "b:9092" closed the connection right after the first request, which often means that it requires TLS or SASL: check security.protocol',
    ),
    code: 'BROKER_UNREACHABLE',
  },
  { what: 'a connection that breaks later', error: lost('The connection broke'), code: 'BROKER_UNREACHABLE' },
  { what: 'a refused connection', error: new Error('connect ECONNREFUSED 127.0.0.1:1'), code: 'BROKER_UNREACHABLE' },
  { what: 'an answer in TLS', error: lost('The broker answers in TLS'), code: 'TLS_FAILED' },
  { what: 'a certificate of an unknown authority', error: new Error('self-signed certificate'), code: 'TLS_FAILED' },
])('$what is $code', ({ error, code }) => {
  expect(connectFailure('b:9092', false, error)).toMatchObject({ code, retriable: code === 'BROKER_UNREACHABLE' })
})
