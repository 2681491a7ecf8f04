import { STAGE_NAMES, STAGES } from '../../src/stages/definitions/index.ts'
import { describeStage } from './stage.ts'

for (const name of STAGE_NAMES) describeStage(name, STAGES[name])
