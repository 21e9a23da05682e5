import '../ui/page.css';
import './budget.css';
import { registerToolkit } from '../ui/toolkit';
import { BudgetApp } from './app';

registerToolkit();
customElements.define('aurora-budget', BudgetApp);
document.body.append(document.createElement('aurora-budget'));
