"""IAM: moto's, with the checks of policy documents that it leaves out."""
