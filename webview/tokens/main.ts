import '../ui/page.css';
import '../ui/fields.css';
import './tokens.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { TokensPage } from './tokens-page';

followSeries();
registerToolkit();
customElements.define('aurora-tokens', TokensPage);
document.body.append(document.createElement('aurora-tokens'));
