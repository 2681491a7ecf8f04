import { expect, test } from 'vitest'
import { isLoopback, parseHttpAddress } from '../../src/options/http-address.ts'

test.each([
  [9600, '127.0.0.1', 9600],
  ['9600', '127.0.0.1', 9600],
  [':9600', '127.0.0.1', 9600],
  ['0', '127.0.0.1', 0],
  ['0.0.0.0:80', '0.0.0.0', 80],
  ['localhost', 'localhost', 9600],
  ['millrace.example:8080', 'millrace.example', 8080],
  ['[::1]:9600', '::1', 9600],
  ['[::]', '::', 9600],
] as const)('%s is an address', (text, host, port) => {
  expect(parseHttpAddress(text)).toEqual({ host, port })
})

test.each(['', ':', 'a:b', '65536', 'localhost:99999', '::1', 'http://localhost:9600', '1.2.3.4:', -1, 1.5])(
  '%s is no address',
  (text) => {
    expect(parseHttpAddress(text)).toBeUndefined()
  },
)

test('only the loopback addresses are loopback', () => {
  expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost', '0.0.0.0', '::', '10.0.0.1'].map(isLoopback)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})
