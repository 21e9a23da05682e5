import '../ui/page.css';
import '../ui/fields.css';
import './activations.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { ActivationsPage } from './activations-page';
import { LayerCardElement } from './layer-card';
import { SigmaChart } from './sigma-chart';

followSeries();
registerToolkit();
customElements.define('aurora-layer-card', LayerCardElement);
customElements.define('aurora-sigma-chart', SigmaChart);
customElements.define('aurora-activations', ActivationsPage);
document.body.append(document.createElement('aurora-activations'));
