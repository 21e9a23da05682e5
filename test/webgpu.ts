/**
 * If there is no driver and none can be installed, AURORA_TEST_WEBGPU=0 skips the tests that need one
 * (scripts/lib/system.mjs).
 */
export const onWebgpu = process.env.AURORA_TEST_WEBGPU !== '0';
