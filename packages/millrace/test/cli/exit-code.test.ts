import { expect, test } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import {
  AuthenticationError,
  BatchError,
  ConfigError,
  ConnectionError,
  DecodeError,
  DeliveryError,
  FileError,
  UnexpectedError,
} from '../../src/errors/index.ts'

test.each([
  ['a configuration', new ConfigError('x'), 2],
  ['an unreadable pipeline file', new ConfigError('x', [], { code: 'CONFIG_UNREADABLE' }), 2],
  ['a broker out of reach', new ConnectionError('BROKER_UNREACHABLE', 'x'), 3],
  ['a missing file', new FileError('FILE_UNREADABLE', 'x'), 3],
  ['a record', new DecodeError('value', 'x'), 1],
  ['a batch with a failed record', new BatchError('x', new Map([[0, new DecodeError('value', 'x')]])), 1],
  [
    'a batch that failed with the connection',
    new BatchError('x', new Map([[0, new ConnectionError('BROKER_DISCONNECTED', 'x')]])),
    3,
  ],
  [
    'a record that met refused credentials',
    new BatchError('x', new Map([[0, new DeliveryError('x', { cause: new AuthenticationError('x') })]])),
    3,
  ],
  ['a fault of ours', new UnexpectedError('x'), 1],
  ['something unknown', new TypeError('x'), 1],
  ['something that is no error', 'x', 1],
])('%s', (_, error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})
