import { describe, expect, test } from 'vitest'
import { freeMemory } from '../../src/records/lease.ts'

const KIB = 1024

describe('memory that is given back', () => {
  test('is free at once, and views of it are empty', () => {
    const bytes = Buffer.allocUnsafeSlow(100 * KIB).fill('x')
    const view = bytes.subarray(10, 20)
    const before = process.memoryUsage().arrayBuffers
    freeMemory(bytes)
    expect(before - process.memoryUsage().arrayBuffers).toBe(100 * KIB)
    expect([bytes.length, view.length, view.toString()]).toEqual([0, 0, ''])
    freeMemory(bytes)
  })

  test.each([
    ['a part of a Buffer', () => Buffer.alloc(100 * KIB).subarray(0, 40 * KIB)],
    ["a Buffer in Node's pool", () => Buffer.from('x'.repeat(1000))],
    ['a small array', () => new Float64Array(100)],
    ['memory that is shared', () => Buffer.from(new SharedArrayBuffer(100 * KIB))],
  ])('is not: %s', (_, make) => {
    const array = make()
    const { length } = array
    freeMemory(array)
    expect(array.length).toBe(length)
    expect(array.buffer.byteLength).toBeGreaterThan(0)
  })
})
