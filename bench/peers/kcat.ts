/** kcat, librdkafka's command line, where it is installed. Timed as a whole process: it tells no times of its own. */

import { spawn, spawnSync } from 'node:child_process'
import type { Bed } from '../bed.ts'
import { waitFor } from '../child.ts'
import type { Sample } from '../measure.ts'

export function hasKcat(): boolean {
  return spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0
}

export async function consumeWithKcat(bed: Bed, topic: string, records: number): Promise<Sample> {
  const args = [
    '-C',
    '-q',
    '-e',
    '-u',
    '-b',
    bed.bootstrapServers,
    '-t',
    topic,
    '-o',
    'beginning',
    '-c',
    `${records}`,
    '-f',
    '',
  ]
  return timed(args, records)
}

/** @param file at least as many lines as records; the first ones are written */
export async function produceWithKcat(bed: Bed, topic: string, records: number, file: string): Promise<Sample> {
  const settings = ['acks=all', 'enable.idempotence=true', 'linger.ms=5', 'batch.size=65536']
  const args = [
    '-P',
    '-b',
    bed.bootstrapServers,
    '-t',
    topic,
    '-l',
    file,
    ...settings.flatMap((setting) => ['-X', setting]),
  ]
  return timed(args, records)
}

async function timed(args: readonly string[], records: number): Promise<Sample> {
  const start = performance.now()
  const { cpuSeconds } = await waitFor(spawn('kcat', args, { stdio: ['ignore', 'ignore', 'pipe'] }), 'kcat')
  return { records, seconds: (performance.now() - start) / 1000, cpuSeconds }
}
