import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes, type Task } from '../../../src/library/work/lanes.ts'

interface Run {
  readonly started: number[]
  /** Most tasks that ran at a time, of all and of a lane. */
  most: number
  mostOfLane: number
}

/** Runs tasks, each of which takes some turns of the event loop, and returns when all are over. */
async function runAll(
  tasks: readonly { readonly lane: string | undefined; readonly turns: number }[],
  concurrency: number,
): Promise<Run> {
  const run: Run = { started: [], most: 0, mostOfLane: 0 }
  const running: (string | undefined)[] = []
  const over = Promise.withResolvers<void>()
  let left = tasks.length
  const lanes = new Lanes(concurrency, over.reject)
  for (const [i, { lane, turns }] of tasks.entries())
    lanes.add({
      lane,
      notBefore: 0,
      isDropped: false,
      async run() {
        run.started.push(i)
        running.push(lane)
        run.most = Math.max(run.most, running.length)
        if (lane !== undefined)
          run.mostOfLane = Math.max(run.mostOfLane, running.filter((each) => each === lane).length)
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
        running.splice(running.indexOf(lane), 1)
        if (--left === 0) over.resolve()
      },
    })
  if (left > 0) await over.promise
  return run
}

test('every task runs once, in order within its lane, and never more at a time than allowed', async () => {
  const tasks = fc.array(
    fc.record({ lane: fc.constantFrom('a', 'b', 'c', undefined), turns: fc.integer({ min: 0, max: 4 }) }),
    { maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(tasks, fc.integer({ min: 1, max: 5 }), async (all, concurrency) => {
      const { started, most, mostOfLane } = await runAll(all, concurrency)
      expect(started.toSorted((a, b) => a - b)).toEqual(all.map((_, i) => i))
      expect(most).toBeLessThanOrEqual(concurrency)
      expect(mostOfLane).toBeLessThanOrEqual(1)
      for (const lane of ['a', 'b', 'c']) {
        const order = started.filter((i) => all[i]!.lane === lane)
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      }
    }),
    { numRuns: 200 },
  )
})

test('a slow lane does not hold the others up', async () => {
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const over = Promise.withResolvers<void>()
  const lanes = new Lanes(2, over.reject)
  const task = (lane: string, wait?: Promise<void>): Task => ({
    lane,
    notBefore: 0,
    isDropped: false,
    async run() {
      await wait
      done.push(lane)
      if (done.length === 103) over.resolve()
    },
  })
  lanes.add(task('slow', gate.promise))
  lanes.add(task('slow'))
  for (let i = 0; i < 101; i++) lanes.add(task('fast'))
  await expect.poll(() => done.length).toBe(101)
  gate.resolve()
  await over.promise
  expect(done.slice(101)).toEqual(['slow', 'slow'])
})

test('a task that is not due holds its lane up and takes no place; a dropped one leaves at once', async () => {
  const ran: string[] = []
  let isDropped = false
  const lanes = new Lanes(1, (error) => expect.unreachable(String(error)))
  const task = (name: string, lane: string, notBefore = 0): Task => ({
    lane,
    notBefore,
    get isDropped() {
      return isDropped && name === 'late'
    },
    run() {
      if (isDropped && name === 'late') return undefined
      ran.push(name)
      return Promise.resolve()
    },
  })
  const dueAt = Date.now() + 60
  lanes.add(task('soon', 'a', dueAt))
  lanes.add(task('behind it', 'a'))
  lanes.add(task('late', 'b', Date.now() + 3_600_000))
  lanes.add(task('behind late', 'b'))
  lanes.add(task('now', 'c'))
  await expect.poll(() => ran.length).toBe(3)
  expect(ran).toEqual(['now', 'soon', 'behind it'])
  expect(Date.now()).toBeGreaterThanOrEqual(dueAt)
  isDropped = true
  lanes.sweep()
  await expect.poll(() => ran.length).toBe(4)
  expect(ran.at(-1)).toBe('behind late')
})

test('tasks that never wait leave turns to the event loop', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const busy = Array.from({ length: 20 }, () => ({ lane: undefined, turns: 0 }))
  const lanes = new Lanes(1, (error) => expect.unreachable(String(error)))
  const over = Promise.withResolvers<void>()
  let left = busy.length
  for (const { lane } of busy)
    lanes.add({
      lane,
      notBefore: 0,
      isDropped: false,
      async run() {
        for (const end = performance.now() + 10; performance.now() < end;);
        if (--left === 0) over.resolve()
      },
    })
  await over.promise
  clearInterval(timer)
  expect(turns).toBeGreaterThanOrEqual(4)
})
