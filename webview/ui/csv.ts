export { csv } from '../../src/shared/csv';
