import '../ui/page.css';
import '../ui/fields.css';
import '../study/study.css';
import '../sweep/sweep.css';
import './claim.css';
import { followSeries } from '../charts/chart-colors';
import { FigureView } from '../study/figure-view';
import { registerToolkit } from '../ui/toolkit';
import { ClaimPage } from './claim-page';

followSeries();
registerToolkit();
customElements.define('aurora-study-figure', FigureView);
customElements.define('aurora-claim', ClaimPage);
document.body.append(document.createElement('aurora-claim'));
