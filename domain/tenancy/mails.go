package tenancy

import "net/url"

// Letters writes the mails. PublicURL is the platform's, without a slash at its end.
type Letters struct {
	Links     Links
	PublicURL string
}

// Verification asks a registration's owner to open the link and choose a password.
func (l Letters) Verification(r Registration) Mail {
	return Mail{
		ID: "verification-" + r.ID.String(), To: r.Email, Name: r.OwnerName, Subject: "Confirm " + r.Organisation + " on Bailiwick",
		Text: []string{"you registered " + r.Organisation + " on Bailiwick. Open this link to confirm your address and to choose a password:"},
		Link: l.accept(Link{Tenant: r.ID}), Action: "Confirm and choose a password",
		After: []string{"The link works for seven days. If it was not you, do nothing: without it nothing is set up."},
	}
}

// Welcome tells the owner that the tenant is ready.
func (l Letters) Welcome(r Registration) Mail {
	return Mail{
		ID: "welcome-" + r.ID.String(), To: r.Email, Name: r.OwnerName, Subject: r.Organisation + " is ready",
		Text: []string{r.Organisation + " is ready on Bailiwick. Its first OAuth client, for programs that log you in, is " + r.FirstClient.String() + "; the issuer is " + l.PublicURL + "/auth. The API is described here:"},
		Link: l.PublicURL + "/docs/", Action: "Read the API's documentation",
	}
}

// Failure tells an owner who had confirmed that the tenant could not be set up.
func (l Letters) Failure(r Registration) Mail {
	return Mail{
		ID: "failure-" + r.ID.String(), To: r.Email, Name: r.OwnerName, Subject: r.Organisation + " could not be set up",
		Text: []string{"you confirmed " + r.Organisation + " on Bailiwick, but it could not be set up: " + r.Failure.Message + ".",
			"Nothing of it is left, your password neither. You may register again, also with the same short name and address."},
	}
}

// Invitation asks a person to join.
func (l Letters) Invitation(a Addressed) Mail {
	return Mail{
		ID: "invitation-" + a.ID.String(), To: a.Email, Name: a.Name, Subject: "Join " + a.Organisation + " on Bailiwick",
		Text: []string{"you are invited to join " + a.Organisation + " on Bailiwick. Open this link to choose a password:"},
		Link: l.accept(Link{Tenant: a.TenantID, Invitation: a.ID}), Action: "Join",
		After: []string{"The link works for seven days."},
	}
}

func (l Letters) accept(to Link) string {
	return l.PublicURL + "/users/accept?token=" + url.QueryEscape(l.Links.Token(to))
}
