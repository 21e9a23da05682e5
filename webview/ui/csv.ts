export { csv } from '../../src/base/csv';
