/** A schema registry for integration tests: Apicurio Registry of the test bed, one for the tests of a file. */
import { afterAll, beforeAll } from 'vitest'
import { isEmbedded } from './broker.ts'
import { type RegistryProcess, startRegistry, whyNoRegistry } from '../../../../test-bed/registry.ts'

const whyNot = isEmbedded ? 'the tests run on the embedded broker' : await whyNoRegistry()

/** Whether there is a registry; tests that need one are skipped otherwise. With `CI=true` its absence fails the run. */
export const registryAvailable: boolean = whyNot === undefined

if (whyNot !== undefined && !isEmbedded) {
  if (process.env['CI'] === 'true') throw new Error(`The tests need a schema registry and there is none: ${whyNot}`)
  console.warn(`Tests that need a schema registry are skipped: ${whyNot}`)
}

/** A registry for the tests of this file or `describe`, to be killed and restarted; stopped after them. */
export function ownRegistry(): () => RegistryProcess {
  let registry: RegistryProcess | undefined
  beforeAll(async () => {
    registry = await startRegistry()
  })
  afterAll(async () => {
    await registry?.stop()
    registry = undefined
  })
  return () => {
    if (registry === undefined) throw new Error('The registry runs during tests only')
    return registry
  }
}
