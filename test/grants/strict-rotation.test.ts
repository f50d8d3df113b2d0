import { DAY_MS, testStrictRotation } from './strict-rotation-suite.ts'

testStrictRotation({ environment: async () => ({}), dayOldMs: DAY_MS })
